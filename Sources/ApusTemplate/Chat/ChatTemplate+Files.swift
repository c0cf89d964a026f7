public import ApusCheckpoint
public import Foundation

extension ChatTemplate {
  /// The longest `tokenizer_config.json` that is read: those with thousands of added tokens have a few megabytes.
  private static let configurationByteCountMax = 32 << 20

  /// The templates of a Hugging Face folder; nil where it has none.
  ///
  /// `chat_template.jinja` and `additional_chat_templates/*.jinja` come before what `tokenizer_config.json` says,
  /// and that before `chat_template.json`. Special tokens are those of `tokenizer_config.json` and, where it lists
  /// no added tokens, of `special_tokens_map.json`.
  /// - Throws: `ChatTemplateError` naming file and field, or line.
  public init?(folder: URL, limits: TemplateLimits = TemplateLimits()) throws(ChatTemplateError) {
    let reader = TemplateFolder(folder: folder, limits: limits)
    var sources: [(name: String, source: String)] = []
    var tokens = JSONMembers()
    do throws(CheckpointError) {
      let configuration = try reader.object("tokenizer_config.json", Self.configurationByteCountMax)
      sources = try reader.templateFiles()
      if sources.isEmpty, let configuration { sources = try Self.sources(in: configuration) }
      if sources.isEmpty, let legacy = try reader.object("chat_template.json", limits.sourceByteCountMax * 2)
      {
        sources = try Self.sources(in: legacy)
      }
      guard !sources.isEmpty else { return nil }
      if let configuration { Self.collectTokens(of: configuration, into: &tokens) }
      if configuration?.has("added_tokens_decoder") != true,
        let map = try reader.object("special_tokens_map.json", Self.configurationByteCountMax)
      {
        Self.collectTokens(of: map, into: &tokens)
      }
    } catch { throw .file(error) }
    try self.init(sources: sources, specialTokens: tokens, limits: limits)
  }

  /// The member `chat_template`: a text, or named texts.
  private static func sources(
    in object: JSONObject
  ) throws(CheckpointError) -> [(name: String, source: String)] {
    switch object.value("chat_template") {
    case nil: return []
    case .string(let source): return [(defaultName, source)]
    case .array(let entries):
      var sources: [(name: String, source: String)] = []
      for entry in entries {
        guard case .object(let members) = entry, case .string(let name)? = members["name"],
          case .string(let source)? = members["template"]
        else { throw object.invalid("chat_template", expected: "objects with a name and a template") }
        // Of two with one name the later counts.
        sources.removeAll { $0.name == name }
        sources.append((name, source))
      }
      return sources
    default: throw object.invalid("chat_template", expected: "a string or an array of named templates")
    }
  }

  /// Members whose names end in `_token`, and named extra tokens: texts, or objects with their text as `content`.
  private static func collectTokens(of object: JSONObject, into tokens: inout JSONMembers) {
    func collect(_ members: JSONMembers, all: Bool) {
      for index in 0..<members.count {
        let (name, value) = members[index]
        guard all || name.hasSuffix("_token") else { continue }
        switch value {
        case .string: tokens.set(name, value)
        case .object(let token): if case .string? = token["content"] { tokens.set(name, token["content"]!) }
        default: break
        }
      }
    }
    collect(object.members, all: false)
    if case .object(let extra)? = object.value("extra_special_tokens") { collect(extra, all: true) }
  }
}

extension ChatTemplate {
  /// The templates of a GGUF file: `tokenizer.chat_template` and, by their names, `tokenizer.chat_template.NAME`;
  /// nil where it has none. Special tokens are those whose ids the file gives.
  /// - Throws: `ChatTemplateError` naming key, or line.
  public init?(gguf file: GGUFFile, limits: TemplateLimits = TemplateLimits()) throws(ChatTemplateError) {
    let metadata = file.metadata
    var sources: [(name: String, source: String)] = []
    var tokens = JSONMembers()
    do throws(CheckpointError) {
      let key = "tokenizer.chat_template"
      if let source = try metadata.stringIfPresent(key) { sources.append((Self.defaultName, source)) }
      for other in metadata.keys where other.hasPrefix(key + ".") {
        sources.append((String(other.dropFirst(key.count + 1)), try metadata.string(other)))
      }
      guard !sources.isEmpty else { return nil }
      let texts = try metadata.stringsIfPresent("tokenizer.ggml.tokens") ?? []
      for (name, spelled) in Self.ggufTokens where !texts.isEmpty {
        let id = try metadata.integerIfPresent(
          "tokenizer.ggml.\(spelled)_token_id", in: 0...(texts.count - 1))
        if let id { tokens.set("\(name)_token", .string(texts[id])) }
      }
    } catch { throw .file(error) }
    try self.init(sources: sources, specialTokens: tokens, limits: limits)
  }

  /// Special tokens by the names that Hugging Face and that GGUF give them.
  private static let ggufTokens = [
    ("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("sep", "seperator"), ("pad", "padding"),
    ("cls", "cls"),
    ("mask", "mask"),
  ]
}

/// The files of a Hugging Face folder that hold templates.
private struct TemplateFolder {
  let folder: URL
  let limits: TemplateLimits

  func object(_ name: String, _ byteCountMax: Int) throws(CheckpointError) -> JSONObject? {
    let url = folder.appending(path: name)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    return try JSONObject.read(url, byteCountMax: byteCountMax)
  }

  func templateFiles() throws(CheckpointError) -> [(name: String, source: String)] {
    var sources: [(name: String, source: String)] = []
    let file = folder.appending(path: "chat_template.jinja")
    if FileManager.default.fileExists(atPath: file.path) { sources.append(("default", try text(file))) }
    let more = folder.appending(path: "additional_chat_templates")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: more.path)) ?? []
    for name in names.sorted() where name.hasSuffix(".jinja") {
      sources.append((String(name.dropLast(6)), try text(more.appending(path: name))))
    }
    return sources
  }

  private func text(_ url: URL) throws(CheckpointError) -> String {
    let data: Data
    do {
      let handle = try FileHandle(forReadingFrom: url)
      defer { try? handle.close() }
      data = try handle.read(upToCount: limits.sourceByteCountMax + 1) ?? Data()
    } catch { throw .unreadable(path: url.path, reason: error.localizedDescription) }
    guard data.count <= limits.sourceByteCountMax else {
      throw .tooLarge(path: url.path, byteCount: data.count, limit: limits.sourceByteCountMax)
    }
    let text = String(validating: data, as: UTF8.self)
    guard let text else { throw .unreadable(path: url.path, reason: "not UTF-8") }
    return text
  }
}
