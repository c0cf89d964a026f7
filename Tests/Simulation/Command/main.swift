import Foundation
import Simulator

do {
  switch try Arguments.parse(Array(CommandLine.arguments.dropFirst())) {
  case .help: print(Arguments.usage)
  case .replay(let history, let traces): exit(Replay.run(history, traces: traces))
  case .shrink(let seed): exit(Replay.shrink(seed: seed))
  case .work(let work): exit(Worker.run(work))
  case .run(let run): exit(try Supervisor(run).run())
  }
} catch {
  FileHandle.standardError.write(Data("apus-simulate: \(error)\n".utf8))
  exit(2)
}
