import ApusCheckpoint
import ApusModel
import Foundation
import TestSupport
import Testing

@Suite struct ModelConfigurationMutationTests {
  /// What a configuration promises, whatever file it came from.
  func expectPromises(_ configuration: ModelConfiguration) {
    #expect(configuration.headCount % configuration.kvHeadCount == 0)
    #expect(configuration.headSize % 2 == 0 && configuration.headSize > 0)
    #expect(configuration.slidingWindows.count == configuration.layerCount)
    #expect(configuration.slidingWindows.allSatisfy { $0 ?? 1 > 0 })
    #expect(configuration.rmsNormEpsilon > 0 && configuration.rmsNormEpsilon.isFinite)
    #expect(configuration.rope.theta > 0 && configuration.rope.theta.isFinite)
    let sizes = configuration.expectedTensors(layer: 0).flatMap(\.shape)
    #expect(sizes.allSatisfy { $0 > 0 })
  }

  @Test(arguments: ReferenceFixture.all)
  func readsOrRefusesDamagedConfigurations(fixture: ReferenceFixture) throws {
    let original = try Data(contentsOf: fixture.directory.appending(path: "config.json"))
    let alphabet = Array("0123456789{}[]\",:.-eE nulltruefalse".utf8)
    var random = SplitMix64(seed: 17)
    var read = 0
    for _ in 0..<400 {
      var bytes = Array(original)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes.insert(alphabet.randomElement(using: &random)!, at: place)
        default: bytes[place] = alphabet.randomElement(using: &random)!
        }
      }
      guard
        let config = try? bytes.withUnsafeBytes({ try JSONObject(parsing: $0, file: "config.json") })
      else { continue }
      do throws(ConfigurationError) {
        expectPromises(try ModelConfiguration(config: config))
        read += 1
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
    #expect(read > 10)
  }
}
