import ArgumentParser

/// What to write of how requests ran.
struct ObservationOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "Record the run in this file, so that `apus replay` can run any request of it again.")
  var record: String?

  @Option(
    parsing: .unconditional, help: "Write the run as a trace for chrome://tracing or Perfetto to this file.")
  var trace: String?

  @Option(parsing: .unconditional, help: "Draw what each request did when to this SVG file.")
  var timeline: String?
}
