import Apus
import ApusEngine
import ApusKernels
import ApusModel
import ApusServer
import ArgumentParser
import Logging
import ServiceLifecycle
import UnixSignals

/// `apus serve`
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Answers requests over HTTP, in OpenAI's interface.",
    discussion: """
      Without options it serves the embedded model on 127.0.0.1, port 8080, to whoever reaches it there.

      GET /v1/models, POST /v1/completions, POST /v1/chat/completions, POST /tokenize, POST /detokenize; GET \
      /health (the process lives), /ready (it takes requests), /metrics (for Prometheus), /slots, /load, \
      /version. With --api-key, all but /health, /ready, /metrics and /version ask for one of the keys. GET / \
      is a page to try it on and to watch it.

      On SIGTERM or SIGINT it takes no new requests, lets those that run finish, and ends with exit code 0.
      """)

  @OptionGroup(title: "Serving") var address: AddressOptions
  @OptionGroup(title: "Batching") var serving: ServingOptions
  @OptionGroup(title: "Limits") var limits: LimitOptions
  @OptionGroup(title: "Kernels") var kernels: KernelOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      A Hugging Face folder, a .gguf file, or `embedded` for the model inside.
      """, valueName: "model"))
  var model = "embedded"

  func run() async throws {
    let server = try address.configuration(limits: limits.limits)
    let sizes = try serving.sizes()
    let timeouts = try limits.timeouts()
    let files = try ModelArgument.files(of: model)
    OpenFileLimit.raise()
    let location = model
    let kernels = kernels
    let names = address.servedModelName
    var logger = Logger(label: "apus") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .warning
    let start = StartReport(host: server.host, hasKeys: !server.apiKeys.isEmpty)
    let service = CompletionServer(server, logger: logger) {
      try ServedModel(
        files: files, location: location, kernels: kernels, sizes: sizes, names: names, timeouts: timeouts)
    } onListening: {
      start.listening(port: $0)
    } onReady: {
      start.ready($0)
    }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
    // The engine's threads need not be asleep: see `StandardStreams.end`.
    StandardStreams.end(exitCode: 0)
  }
}

extension ServedModel {
  fileprivate convenience init(
    files: ModelFiles, location: String, kernels: KernelOptions, sizes: ServingOptions.Sizes, names: [String],
    timeouts: LimitOptions.Timeouts
  ) throws {
    let context = try kernels.context()
    let tokenizer = try files.tokenizer(for: "serving text")
    let open = try files.open()
    let isEmbedded = ModelLocation(location) == .embedded
    let id = names.first ?? (isEmbedded ? "apus-stories" : files.name)
    let model = LanguageModel(
      name: id, weights: try kernels.load(open, context: context), tokenizer: tokenizer, context: context,
      kvType: kernels.kvType)
    let slots = SlotTable(slotCount: sizes.slotCount)
    let contextLength = min(sizes.contextLength, open.configuration.contextLength)
    var engine = sizes.engine
    engine.eosTokenIDs = model.eosTokenIDs
    let generator = try TextGenerator(
      model, batchSize: sizes.slotCount, maxSequenceLength: contextLength,
      pageCount: sizes.pageCount, configuration: engine, observer: slots.record)
    self.init(
      id: id, aliases: Array(names.dropFirst()) + (isEmbedded ? ["embedded"] : []), generator: generator,
      slots: slots,
      chatRenderer: try files.chatTemplate().map { TemplateChatRenderer($0) } ?? PlainChatRenderer(),
      formatCompiler: GrammarFormatCompiler(model),
      fingerprint: "apus-\(CompletionServer.version)-\(context.instructionSet.rawValue)-"
        + (kernels.weights?.rawValue ?? "stored") + (kernels.precise ? "-precise" : ""),
      queueTimeout: timeouts.queue, requestTimeout: timeouts.request)
  }
}
