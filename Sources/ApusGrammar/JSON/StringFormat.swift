/// Values of `format` that are enforced, as patterns of whole strings. Each describes texts that the format's
/// own specification accepts; not always all of them, where that says so.
///
/// Names the specification does not have, such as int32 or password, say nothing of what is valid.
enum StringFormat {
  static let patterns: [String: String] = [
    "date": date, "time": time, "date-time": date + "T" + time, "duration": duration, "uuid": uuid,
    "email": email, "hostname": hostname, "ipv4": ipv4, "ipv6": ipv6, "uri": uri,
  ]

  /// Of the specification (JSON Schema Validation 2020-12, section 7.3), and not done here.
  static let unsupported: Set<String> = [
    "idn-email", "idn-hostname", "uri-reference", "iri", "iri-reference", "uri-template", "json-pointer",
    "relative-json-pointer", "regex",
  ]

  private static let leapYear =
    "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
  private static let year = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
  /// RFC 3339, the years 0001 to 9999, with the lengths of months.
  private static let date =
    "(\(year)-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    + "|02-(0[1-9]|1[0-9]|2[0-8]))|\(leapYear)-02-29)"
  /// RFC 3339, without leap seconds; up to nine digits of a second.
  private static let time =
    "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
  /// ISO 8601 as RFC 3339, appendix A has it; up to nine digits a number.
  private static let duration = {
    let n = "[0-9]{1,9}"
    let second = "\(n)S"
    let minute = "\(n)M(\(second))?"
    let hour = "\(n)H(\(minute))?"
    let time = "T(\(hour)|\(minute)|\(second))"
    let day = "\(n)D"
    let month = "\(n)M(\(day))?"
    let year = "\(n)Y(\(month))?"
    return "P((\(day)|\(month)|\(year))(\(time))?|\(time)|\(n)W)"
  }()
  private static let uuid = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
  private static let label = "[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?"
  /// RFC 1123, up to eight labels.
  private static let hostname = "\(label)(\\.\(label)){0,7}"
  /// RFC 5321's local parts without quotes, up to 64 characters a part between dots, and a host's name.
  private static let email = {
    let atom = "[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]{1,64}"
    return "\(atom)(\\.\(atom)){0,3}@\(label)(\\.\(label)){0,3}"
  }()
  private static let octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
  /// RFC 2673, section 3.2: no zeros in front.
  private static let ipv4 = "\(octet)(\\.\(octet)){3}"
  /// RFC 4291, section 2.2, forms 1 and 2.
  private static let ipv6 = {
    let group = "[0-9a-fA-F]{1,4}"
    var forms = ["(\(group):){7}\(group)"]
    for before in 0...6 {
      let head = before == 0 ? "" : "\(group)(:\(group)){\(before - 1)}"
      // Two colons stand for two groups and more.
      forms.append(before == 6 ? "\(head)::" : "\(head)::(\(group)(:\(group)){0,\(5 - before)})?")
    }
    return "(\(forms.joined(separator: "|")))"
  }()
  /// RFC 3986: a scheme, and characters and escapes that any part may have; at most one query and fragment.
  private static let uri = {
    let character = "([0-9A-Za-z._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
    let host = "([0-9A-Za-z._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
    let path = "(/\(character)*)*"
    let authority = "//\(host)+(:[0-9]{1,5})?\(path)"
    let rest = "(\\?(\(character)|[/?])*)?(#(\(character)|[/?])*)?"
    return "[A-Za-z][0-9A-Za-z+.-]*:(\(authority)|\(character)+\(path))\(rest)"
  }()
}
