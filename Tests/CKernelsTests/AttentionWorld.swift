import CKernels
import TestSupport
import Testing

/// Some sequences with all their queries, keys and values; any of their rows can be attended to in any
/// company.
struct AttentionWorld: CustomTestStringConvertible {
  var heads: Int
  var kvHeads: Int
  var size: Int
  var window = 0
  /// Type of the cache.
  var type = CK_KV_F32
  /// `[sequence]`: histories, and queries `[length, heads, size]`.
  var histories: [History] = []
  var queries: [[Float]] = []
  /// `[sequence]`: `[length, length]` of what each position may see, or empty for everything.
  var masks: [[UInt8]] = []

  init(heads: Int, kvHeads: Int, size: Int, type: ck_kv_type = CK_KV_F32) {
    self.type = type
    self.heads = heads
    self.kvHeads = kvHeads
    self.size = size
  }

  mutating func append(length: Int, magnitude: Float = 2, random: inout SplitMix64) {
    histories.append(
      History(length: length, kvHeads: kvHeads, size: size, magnitude: magnitude, random: &random))
    queries.append(random.nextFloats(length * heads * size, magnitude: magnitude))
  }

  mutating func addMasks(random: inout SplitMix64) {
    masks = (0..<histories.count).map { sequence in
      let length = self.length(sequence)
      return [UInt8](unsafeUninitializedCapacity: length * length) { mask, filled in
        // Seven of ten positions are seen; what is not 0 is seen. Millions of them, without optimization.
        while filled < length * length {
          let word = random.next()
          let seen = word % 10 < 7 ? UInt8(truncatingIfNeeded: word >> 32) | 1 : 0
          (mask.baseAddress! + filled).initialize(to: seen)
          filled += 1
        }
      }
    }
  }

  func length(_ sequence: Int) -> Int { queries[sequence].count / (heads * size) }

  var testDescription: String {
    "heads \(heads)/\(kvHeads), size \(size), window \(window), lengths \(queries.indices.map(length))"
      + (masks.isEmpty ? "" : ", masked")
  }

  /// A run of consecutive positions of one sequence: its rows in one call.
  struct Run {
    var sequence: Int
    var positions: Range<Int>
  }

  /// What runs the call: an op on a context, or the reference.
  enum Implementation {
    case op(Context)
    case reference
  }

  /// Outputs of the runs' rows, one after the other. Pages, slots and the order of slots are new for every
  /// call, and positions that no row of it sees are NaN.
  func attend(
    _ runs: [Run], by implementation: Implementation, scale: Float? = nil, seed: UInt64 = 1
  ) -> [Float] {
    var random = SplitMix64(seed: seed)
    let slots = Array(0..<runs.count + 1).shuffled(using: &random).prefix(runs.count)
    let longest = runs.map(\.positions.upperBound).max()!
    let cache = PagedCache(
      type: type, kvHeads: kvHeads, size: size, slots: runs.count + 1, positions: longest, random: &random)
    for (run, slot) in zip(runs, slots) {
      let first = window > 0 ? max(0, run.positions.lowerBound - window + 1) : 0
      cache.fill(slot: slot, from: histories[run.sequence], positions: first..<run.positions.upperBound)
    }
    let batch = Ragged(
      slots: Array(slots), rows: runs.map(\.positions.count), kvLengths: runs.map(\.positions.upperBound))
    let width = heads * size
    let query = GuardedBuffer(
      runs.flatMap { run in
        queries[run.sequence][run.positions.lowerBound * width..<run.positions.upperBound * width]
      })
    let out = GuardedBuffer<Float>(count: batch.rowCount * width)
    let mask = masks.isEmpty ? nil : maskRows(runs, stride: longest)
    var args = ck_attention_args(
      q: query.base, q_stride: width, num_heads: Int32(heads),
      scale: scale ?? Float(1 / Double(size).squareRoot()), window: Int32(window),
      mask: mask.map { UnsafePointer($0.base) }, mask_stride: longest, batch: batch.cValue, kv: cache.cValue,
      out: out.base, out_stride: width, scratch: nil)
    switch implementation {
    case .reference: ck_reference_attention_f32(&args)
    case .op(let context):
      var limits = ck_attention_limits(
        num_rows: Int32(batch.rowCount), num_sequences: Int32(runs.count), kv_length: Int32(longest),
        num_heads: Int32(heads), num_kv_heads: Int32(kvHeads), head_size: Int32(size))
      let bytes = ck_attention_scratch_bytes(context.pointer, &limits)
      let scratch = GuardedBuffer<UInt8>(count: bytes, alignment: 64)
      args.scratch = UnsafeMutableRawPointer(scratch.base)
      ck_attention_f32(context.pointer, &args)
      #expect(scratch.isIntact)
    }
    #expect(out.isIntact && query.isIntact && cache.isIntact && batch.isIntact && mask?.isIntact ?? true)
    return out.elements
  }

  private func maskRows(_ runs: [Run], stride: Int) -> GuardedBuffer<UInt8> {
    var rows: [UInt8] = []
    for run in runs {
      let length = self.length(run.sequence)
      for position in run.positions {
        let own = masks[run.sequence][position * length..<(position + 1) * length].prefix(stride)
        rows += own + [UInt8](repeating: 0, count: stride - own.count)
      }
    }
    return GuardedBuffer(rows)
  }

  func visible(_ sequence: Int, _ position: Int) -> [Int] {
    let low = window > 0 ? max(0, position - window + 1) : 0
    return (low...position).filter {
      masks.isEmpty || masks[sequence][position * length(sequence) + $0] != 0
    }
  }

  /// The contract's bound for each output: 8 (1 + s) eps v, of what was given to the cache: rounding moves a value by
  /// less than a hundredth.
  func bounds(_ runs: [Run]) -> [Double] {
    let scale = 1 / Double(size).squareRoot()
    var result: [Double] = []
    for run in runs {
      let history = histories[run.sequence]
      for position in run.positions {
        let seen = visible(run.sequence, position)
        for head in 0..<heads {
          let query = (position * heads + head) * size
          let group = head / (heads / kvHeads)
          var score = 0.0
          var value = 0.0
          for key in seen {
            let at = (key * kvHeads + group) * size
            var sum = 0.0
            for column in 0..<size {
              sum += Double(abs(queries[run.sequence][query + column] * history.keys[at + column]))
              value = max(value, Double(abs(history.values[at + column])))
            }
            score = max(score, sum * scale)
          }
          result += [Double](repeating: 8.1 * (1 + score) * floatEpsilon * value, count: size)
        }
      }
    }
    return result
  }
}
