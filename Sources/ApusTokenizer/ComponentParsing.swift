/// Reads the components of a `tokenizer.json`: their names and members are those of Hugging Face
/// `tokenizers`.
enum ComponentParsing {
  /// GPT-2's pattern, which `ByteLevel` cuts with unless told otherwise.
  static let byteLevelPattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// More components in a row than any file has.
  static let componentsMax = 64

  /// Unfolds nested `Sequence`s; null is no component.
  static func flatten(
    _ value: JSONValue?, path: String, members: String
  ) throws(TokenizerFileProblem) -> [JSONObject] {
    guard let value, value != .null else { return [] }
    let object = try JSONObject(value, path: path)
    guard try object.string("type") == "Sequence" else { return [object] }
    guard case .array(let values)? = object[members] else { throw object.invalid(members, "an array") }
    var result: [JSONObject] = []
    for (index, value) in values.enumerated() {
      result += try flatten(value, path: "\(object.field(members))[\(index)]", members: members)
      guard result.count <= componentsMax else {
        throw object.invalid(members, "at most \(componentsMax) members")
      }
    }
    return result
  }

  static func normalizer(_ object: JSONObject) throws(TokenizerFileProblem) -> Normalizer {
    let type = try object.string("type")
    if let form = UnicodeNormalization.Form(rawValue: type) { return .unicode(UnicodeNormalization(form)) }
    switch type {
    case "Lowercase": return .lowercase
    case "Prepend": return .prepend(try object.bytes("prepend"))
    case "Replace": return .replace(try object.pattern(), content: try object.bytes("content"))
    case "Strip":
      return .strip(left: try object.bool("strip_left"), right: try object.bool("strip_right"))
    case "StripAccents": return .stripAccents
    default: throw object.unsupported("type", type)
    }
  }

  /// `isLast` tells whether the model follows.
  static func preTokenizer(_ object: JSONObject, isLast: Bool) throws(TokenizerFileProblem) -> PreTokenizer {
    let classes = CharacterClasses.shared
    let type = try object.string("type")
    switch type {
    case "ByteLevel":
      let addsPrefixSpace = try object.bool("add_prefix_space")
      _ = try object.bool("trim_offsets", default: true)
      let pattern = try object.bool("use_regex", default: true) ? try Pattern(byteLevelPattern) : nil
      return .byteLevel(addsPrefixSpace: addsPrefixSpace, pattern: pattern, spells: !isLast)
    case "Split":
      let behavior = try object.choice("behavior", Splitter.Behavior.self)
      let isInverted = try object.bool("invert")
      return .split(Splitter(.pattern(try object.pattern()), behavior, isInverted: isInverted))
    case "Metaspace": return try metaspace(object)
    case "Digits":
      let isIndividual = try object.bool("individual_digits")
      return .split(Splitter(scalars: classes.numeric, isIndividual ? .isolated : .contiguous))
    case "Punctuation":
      let behavior = try object.choice("behavior", Splitter.Behavior.self, default: .isolated)
      return .split(Splitter(scalars: classes.punctuation, behavior))
    case "WhitespaceSplit": return .split(Splitter(scalars: classes.space, .removed))
    case "Whitespace":
      let others = classes.identifier.union(classes.space).complement
      let words: [PatternNode] = [classes.identifier, others].map {
        .repeated(.set($0), min: 1, max: nil, .greedy)
      }
      let pattern = try Pattern(#"\w+|[^\w\s]+"#, .alternatives(words))
      return .split(Splitter(.pattern(pattern), .removed, isInverted: true))
    default: throw object.unsupported("type", type)
    }
  }

  private static func metaspace(_ object: JSONObject) throws(TokenizerFileProblem) -> PreTokenizer {
    let (replacement, scheme) = try metaspaceMembers(object)
    let splits = try object.bool("split", default: true)
    let splitter = splits ? Splitter(.pattern(try Pattern(literal: replacement)), .mergedWithNext) : nil
    return .metaspace(replacement: replacement, scheme: scheme, splitter: splitter)
  }

  private static func metaspaceMembers(
    _ object: JSONObject
  ) throws(TokenizerFileProblem) -> ([UInt8], PreTokenizer.PrependScheme) {
    let replacement = try object.character("replacement")
    let scheme = try object.choice("prepend_scheme", PreTokenizer.PrependScheme.self, default: .always)
    guard try !object.bool("add_prefix_space", default: true) else { return (replacement, scheme) }
    guard scheme == .never || object["prepend_scheme"] == nil else {
      throw object.invalid("add_prefix_space", "what prepend_scheme says")
    }
    return (replacement, .never)
  }

  static func decoder(_ value: JSONValue?) throws(TokenizerFileProblem) -> Decoder {
    let objects = try flatten(value, path: "decoder", members: "decoders")
    var decoder = Decoder()
    guard let value, value != .null else {
      decoder.joint = .spaces
      return decoder
    }
    var hasJoined = false
    for object in objects {
      let type = try object.string("type")
      switch (type, hasJoined) {
      case ("Fuse", _): hasJoined = true
      case ("ByteLevel", false):
        decoder.joint = .byteLevel
        hasJoined = true
      case (_, false): decoder.tokenSteps.append(try tokenStep(object, type))
      case (_, true): decoder.textSteps.append(try textStep(object, type))
      }
    }
    return decoder
  }

  private static func tokenStep(
    _ object: JSONObject, _ type: String
  ) throws(TokenizerFileProblem) -> Decoder.TokenStep {
    switch type {
    case "Replace": return .replace(try object.pattern(), content: try object.bytes("content"))
    case "ByteFallback": return .byteFallback
    case "Strip": return .strip(try strip(object))
    case "Metaspace":
      let (replacement, scheme) = try metaspaceMembers(object)
      return .metaspace(replacement: replacement, dropsFirst: scheme != .never)
    default: throw object.unsupported("type", type)
    }
  }

  /// Of the joined text only literal replacements can be told before its end is known.
  private static func textStep(
    _ object: JSONObject, _ type: String
  ) throws(TokenizerFileProblem) -> Decoder.TextStep {
    switch type {
    case "Replace":
      let pattern = try object.object("pattern")
      guard pattern["String"] != nil else { throw object.unsupported("pattern", "a Regex after Fuse") }
      let literal = try pattern.bytes("String")
      guard !literal.isEmpty else { throw pattern.invalid("String", "a string that is not empty") }
      return .replace(literal, content: try object.bytes("content"))
    case "Strip": return .strip(try strip(object))
    case "Metaspace":
      let (replacement, scheme) = try metaspaceMembers(object)
      return .replace(replacement, content: scheme == .never ? [0x20] : [])
    case "ByteLevel", "ByteFallback": throw object.unsupported("type", "\(type) after Fuse or ByteLevel")
    default: throw object.unsupported("type", type)
    }
  }

  private static func strip(_ object: JSONObject) throws(TokenizerFileProblem) -> Decoder.Strip {
    Decoder.Strip(
      content: try object.character("content"), start: try object.count("start", max: 1024),
      stop: try object.count("stop", max: 1024))
  }
}

/// What a post-processor puts around the ids of a text.
struct Template: Sendable, Equatable {
  var prefix: [Int32] = []
  var suffix: [Int32] = []

  init(prefix: [Int32] = [], suffix: [Int32] = []) {
    self.prefix = prefix
    self.suffix = suffix
  }

  init(_ value: JSONValue?) throws(TokenizerFileProblem) {
    let path = "post_processor"
    var hasTemplate = false
    for object in try ComponentParsing.flatten(value, path: path, members: "processors") {
      switch try object.string("type") {
      case "ByteLevel": break
      case "TemplateProcessing":
        guard !hasTemplate else { throw object.unsupported("type", "a second TemplateProcessing") }
        hasTemplate = true
        try read(object)
      case let type: throw object.unsupported("type", type)
      }
    }
  }

  private mutating func read(_ object: JSONObject) throws(TokenizerFileProblem) {
    let special = try object.object("special_tokens")
    var hasText = false
    for piece in try object.objects("single") {
      if piece["Sequence"] != nil {
        guard try piece.object("Sequence").string("id") == "A", !hasText else {
          throw object.unsupported("single", "any but one Sequence A")
        }
        hasText = true
        continue
      }
      let name = try piece.object("SpecialToken").string("id")
      guard case .array(let values)? = try special.object(name)["ids"] else {
        throw special.invalid(name, "ids")
      }
      for value in values {
        guard case .integer(let id) = value, 0...Vocabulary.idMax ~= id else {
          throw special.invalid(name, "ids in 0...\(Vocabulary.idMax)")
        }
        if hasText { suffix.append(Int32(id)) } else { prefix.append(Int32(id)) }
      }
    }
    guard hasText else { throw object.unsupported("single", "a template without the text") }
  }
}
