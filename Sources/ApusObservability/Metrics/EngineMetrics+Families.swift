public import ApusEngine

extension EngineMetrics {
  /// Everything a snapshot says, under vLLM's names where vLLM has one: the prefix is `apus:`.
  public var families: [MetricFamily] {
    queueFamilies + requestFamilies + tokenFamilies + speculationFamilies + stepFamilies + histogramFamilies
  }

  private func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
    MetricFamily("apus:" + name, help, .gauge([.init(value)]))
  }

  private func counter(_ name: String, _ help: String, _ value: Int) -> MetricFamily {
    MetricFamily("apus:" + name + "_total", help, .counter([.init(Double(value))]))
  }

  private var queueFamilies: [MetricFamily] {
    [
      gauge("num_requests_running", "Requests in a slot.", Double(requestsRunning)),
      gauge("num_requests_waiting", "Requests in the queue.", Double(requestsWaiting)),
      gauge("num_tokens_waiting", "Tokens of the requests in the queue.", Double(tokensWaiting)),
      gauge("num_slots", "Requests that may run together.", Double(slotCount)),
      gauge("kv_cache_usage_perc", "Share of the KV pages that requests hold. 1 is all.", kvCacheUsage),
      gauge("kv_pages", "KV pages of the pool.", Double(pageCount)),
      gauge("kv_pages_cached", "KV pages that only the prefix cache keeps.", Double(pagesIdle)),
    ]
  }

  private var requestFamilies: [MetricFamily] {
    let reasons = [
      ("stop", requestsStopped), ("length", requestsLength), ("abort", requestsCancelled),
      ("timeout", requestsTimedOut), ("error", requestsFailed),
    ]
    return [
      counter("num_requests", "Requests taken.", requestsTotal),
      MetricFamily(
        "apus:request_success_total", "Requests that ended, by reason.",
        .counter(
          reasons.map { .init(Double($0.1), labels: [MetricLabel("finished_reason", $0.0)]) })),
      counter("admission_rejections", "Requests refused as they came.", admissionRejections),
      counter("corrupted_requests", "Requests ended by logits that are not finite.", requestsCorrupted),
      counter("num_preemptions", "Times that a request lost its pages to another.", preemptionsTotal),
    ]
  }

  private var tokenFamilies: [MetricFamily] {
    [
      counter(
        "prompt_tokens", "Prompt tokens of requests whose first token came.", requestPromptTokensTotal),
      counter(
        "prompt_tokens_cached", "Those of them that were found and not computed.", requestCachedTokensTotal),
      counter("generation_tokens", "Tokens generated.", generationTokensTotal),
      counter("prefix_cache_queries", "Tokens looked for in the prefix cache.", prefixCacheQueries),
      counter(
        "prefix_cache_hits", "Tokens found in the prefix cache or in another request.", prefixCacheHits),
    ]
  }

  private var speculationFamilies: [MetricFamily] {
    [
      counter("spec_decode_num_drafts", "Times that tokens were guessed for a request.", specDecodeDrafts),
      counter("spec_decode_num_draft_tokens", "Tokens guessed.", specDecodeDraftTokens),
      counter("spec_decode_num_accepted_tokens", "Tokens guessed right.", specDecodeAcceptedTokens),
    ]
  }

  private var stepFamilies: [MetricFamily] {
    [
      counter("num_steps", "Steps run.", stepsTotal),
      counter("prefill_rows", "Prompt rows run, those computed again among them.", promptTokensTotal),
      counter("decode_rows", "Rows of decoding requests run, without guesses.", decodeRowsTotal),
      MetricFamily(
        "apus:step_seconds_total", "Time spent in steps.", .counter([.init(stepTime.inSeconds)])),
      gauge("slot_utilization", "Share of the slots that had rows, over step time.", slotUtilization),
      gauge("prefill_budget_rows", "Prompt rows that the newest step was allowed.", Double(prefillBudget)),
      gauge(
        "step_cost_fixed_seconds", "What any step is thought to take. NaN before the first.",
        stepCostFixed ?? .nan),
      gauge(
        "step_cost_row_seconds", "What each row is thought to add. NaN before the first.",
        stepCostPerRow ?? .nan),
      gauge(
        "step_cost_position_seconds",
        "What each position that a row attends to is thought to add. NaN before the first.",
        stepCostPerPosition ?? .nan),
      gauge(
        "step_cost_error_ratio", "How far that was off lately, as a share of steps' time.", stepCostError),
    ]
  }

  private var histogramFamilies: [MetricFamily] {
    func family(_ name: String, _ help: String, _ histogram: BucketHistogram) -> MetricFamily {
      MetricFamily("apus:" + name, help, .histogram(histogram))
    }
    return EngineInterval.allCases.map { interval in
      MetricFamily(interval.metricName, interval.help, .histogram(self[keyPath: interval.histogram].buckets))
    } + [
      family("request_prompt_tokens", "Prompt tokens of a request.", requestPromptTokens),
      family("request_generation_tokens", "Generated tokens of a request.", requestGenerationTokens),
      family("iteration_tokens_total", "Prompt rows and generated tokens of a step.", iterationTokens),
    ]
  }
}

/// Stretches of a request's life that are measured.
enum EngineInterval: CaseIterable, Sendable {
  case timeToFirstToken, interToken, endToEnd, queue, inference, prefill, decode

  var metricName: String {
    switch self {
    case .timeToFirstToken: "apus:time_to_first_token_seconds"
    case .interToken: "apus:inter_token_latency_seconds"
    case .endToEnd: "apus:e2e_request_latency_seconds"
    case .queue: "apus:request_queue_time_seconds"
    case .inference: "apus:request_inference_time_seconds"
    case .prefill: "apus:request_prefill_time_seconds"
    case .decode: "apus:request_decode_time_seconds"
    }
  }

  var help: String {
    switch self {
    case .timeToFirstToken: "From arrival to the first token."
    case .interToken: "Between tokens of a request."
    case .endToEnd: "From arrival to the end."
    case .queue: "From arrival to the slot."
    case .inference: "From the slot to the end."
    case .prefill: "From the slot to the first token."
    case .decode: "From the first token to the end."
    }
  }

  var histogram: KeyPath<EngineMetrics, LatencyHistogram> & Sendable {
    switch self {
    case .timeToFirstToken: \.timeToFirstToken
    case .interToken: \.interTokenLatency
    case .endToEnd: \.e2eRequestLatency
    case .queue: \.requestQueueTime
    case .inference: \.requestInferenceTime
    case .prefill: \.requestPrefillTime
    case .decode: \.requestDecodeTime
    }
  }
}
