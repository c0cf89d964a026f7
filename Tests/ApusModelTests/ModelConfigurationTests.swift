import ApusCheckpoint
import ApusModel
import Foundation
import TestSupport
import Testing

@Suite struct ModelConfigurationTests {
  @Test(.enabled(if: SharedData.folder != nil, "needs the shared data folder"))
  func readsARealConfigurationAndItsTensors() throws {
    let folder = try #require(SharedData.folder).appending(path: "stories260K-hf")
    let configuration = try ModelConfiguration(directory: folder)
    #expect(configuration.architecture == .llama)
    #expect(configuration.headSize == 8)
    #expect(configuration.tiedEmbeddings)
    #expect(configuration.eosTokenIDs == [1, 2])
    try configuration.validate(Checkpoint.open(folder))
  }
}
