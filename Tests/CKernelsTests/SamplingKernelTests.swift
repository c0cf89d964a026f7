import CKernels
import Foundation
import TestSupport
import Testing

/// Every runnable instruction set, at sizes around a vector, a block and a thread's share.
struct SamplingKernelTests {
  static let runnable = (0..<UInt32(CK_ISA_COUNT)).map { ck_isa(rawValue: $0) }.filter { ck_isa_runnable($0) }
    .map(\.rawValue)
  static let counts = [
    1, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 19, 35, 127, 128, 129, 255, 256, 257, 1000, 16 * 1024 + 1,
  ]

  private func withContext<R>(_ isa: UInt32, threads: Int32 = 1, _ body: (OpaquePointer) -> R) -> R {
    var context: OpaquePointer?
    #expect(ck_context_create(ck_isa(rawValue: isa), threads, &context) == CK_OK)
    defer { ck_context_destroy(context) }
    #expect(ck_context_isa(context).rawValue == isa)
    return body(context!)
  }

  private func row(_ count: Int, scale: Float = 20, seed: UInt64 = 1) -> [Float] {
    var random = SplitMix64(seed: seed &+ UInt64(count))
    return (0..<count).map { _ in Float.random(in: -scale...scale, using: &random) }
  }

  private func blocks(_ count: Int) -> Int { (count + Int(CK_LOGIT_BLOCK) - 1) / Int(CK_LOGIT_BLOCK) }

  private func scan(_ context: OpaquePointer?, _ logits: [Float]) -> (ck_logit_scan_result, [Float]) {
    // One more, which must stay as it is.
    var blockMax = [Float](repeating: .nan, count: blocks(logits.count)) + [42]
    var result = ck_logit_scan_result()
    logits.withUnsafeBufferPointer { logits in
      blockMax.withUnsafeMutableBufferPointer { blockMax in
        var args = ck_logit_scan_args(
          logits: logits.baseAddress, count: Int32(logits.count), block_max: blockMax.baseAddress)
        result = context.map { ck_logit_scan($0, &args) } ?? ck_reference_logit_scan(&args)
      }
    }
    return (result, blockMax)
  }

  private func weights(
    _ context: OpaquePointer?, _ logits: [Float], temperature: Float
  ) -> (sum: Double, weights: [Float], blockSums: [Float]) {
    var weights = [Float](repeating: .nan, count: logits.count) + [42]
    var blockSums = [Float](repeating: .nan, count: blocks(logits.count)) + [42]
    var sum = 0.0
    logits.withUnsafeBufferPointer { logits in
      weights.withUnsafeMutableBufferPointer { weights in
        blockSums.withUnsafeMutableBufferPointer { blockSums in
          var args = ck_logit_weights_args(
            logits: logits.baseAddress, count: Int32(logits.count), max: logits.max()!,
            temperature: temperature, weights: weights.baseAddress, block_sum: blockSums.baseAddress)
          sum = context.map { ck_logit_weights($0, &args) } ?? ck_reference_logit_weights(&args)
          if let context {
            // Without weights the sums are the same bits.
            args.weights = nil
            #expect(ck_logit_weights(context, &args) == sum)
          }
        }
      }
    }
    return (sum, weights, blockSums)
  }

  @Test(arguments: runnable)
  func scanIsExact(isa: UInt32) {
    for count in Self.counts {
      for scale in [0, 1, 1.5e38] as [Float] {
        let logits = row(count, scale: scale)
        let (expected, expectedMax) = scan(nil, logits)
        let (result, blockMax) = withContext(isa, threads: 2) { scan($0, logits) }
        #expect(result.is_valid && expected.is_valid, "\(count) logits")
        #expect(result.max == expected.max && result.argmax == expected.argmax, "\(count) logits")
        #expect(blockMax == expectedMax, "\(count) logits")
      }
    }
  }

  @Test(arguments: runnable)
  func scanTakesTheLowestIndexOfTheLargest(isa: UInt32) {
    for count in [17, 128, 300] {
      var logits = [Float](repeating: -7, count: count)
      for index in [count - 1, count / 2, count / 3] {
        logits[index] = 5
        let (result, _) = withContext(isa) { scan($0, logits) }
        #expect(result.argmax == index)
      }
    }
    #expect(withContext(isa) { scan($0, [-0.0, 0.0]) }.0.argmax == 0)
  }

  @Test(arguments: runnable)
  func scanRefusesWhatNoTokenCanBeDrawnFrom(isa: UInt32) {
    for count in [1, 2, 8, 9, 128, 129, 16 * 1024 + 1] {
      for bad in [Float.nan, -.nan, .infinity] {
        for index in Set([0, count / 2, count - 1]) {
          var logits = row(count)
          logits[index] = bad
          #expect(
            !withContext(isa, threads: 2) { scan($0, logits) }.0.is_valid, "\(bad) at \(index) of \(count)")
        }
      }
      let none = [Float](repeating: -.infinity, count: count)
      #expect(!withContext(isa) { scan($0, none) }.0.is_valid)
      var one = none
      one[count - 1] = -3e38
      #expect(withContext(isa) { scan($0, one) }.0.is_valid)
    }
  }

  @Test(arguments: runnable)
  func weightsMatchTheReference(isa: UInt32) {
    for count in Self.counts {
      for temperature in [0.25, 1, 7] as [Float] {
        var logits = row(count)
        if count > 8 { logits[count / 2] = -.infinity }
        let expected = weights(nil, logits, temperature: temperature)
        let result = withContext(isa, threads: 2) { weights($0, logits, temperature: temperature) }
        let largest = logits.max()!
        #expect(result.weights[logits.firstIndex(of: largest)!] == 1)
        #expect(result.weights[count] == 42 && result.blockSums[blocks(count)] == 42)
        var wrong = 0
        for index in 0..<count {
          let exponent = abs(Double(logits[index] - largest) / Double(temperature))
          let difference = abs(Double(result.weights[index]) - Double(expected.weights[index]))
          let bound = (min(exponent, 1000) + 4) * 0x1p-23 * Double(expected.weights[index])
          // What the float range cannot hold normally is zero.
          if !(difference <= bound) && !(exponent > 87.3 && result.weights[index] == 0) { wrong += 1 }
        }
        #expect(wrong == 0, "\(count) logits at temperature \(temperature)")
        for (sum, reference) in zip(result.blockSums, expected.blockSums) {
          #expect(abs(sum - reference) <= reference * 2e-5 + 128 * 1.2e-38)
        }
        #expect(abs(result.sum - expected.sum) <= expected.sum * 2e-5)
      }
    }
  }

  @Test(arguments: runnable)
  func bitsDoNotDependOnThreads(isa: UInt32) {
    let logits = row(151_936)
    let one = withContext(isa, threads: 1) { weights($0, logits, temperature: 0.7) }
    for threads in [2, 3] as [Int32] {
      let more = withContext(isa, threads: threads) { weights($0, logits, temperature: 0.7) }
      #expect(more.sum == one.sum && more.weights == one.weights && more.blockSums == one.blockSums)
    }
  }

  @Test(arguments: runnable)
  func extremesStayFinite(isa: UInt32) {
    for temperature in [Float.leastNonzeroMagnitude, 1e-30, 1e30, .greatestFiniteMagnitude] {
      let result = withContext(isa) {
        weights($0, [-3e38, 3e38, -.infinity, 3e38], temperature: temperature)
      }
      #expect(result.weights[1] == 1 && result.weights[3] == 1 && result.weights[2] == 0)
      #expect(result.sum >= 2 && result.sum <= 3)
    }
  }
}
