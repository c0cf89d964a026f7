import ApusEngine

extension RecordEncoder {
  mutating func append(_ arrival: RequestArrival, at time: Duration) {
    writer.beginObject()
    writer.key("arrival")
    writer.beginObject()
    writer.member("request", arrival.id.rawValue)
    writer.member("at", time)
    writer.member("prompt", arrival.promptTokens)
    writer.key("sampling")
    append(arrival.sampling)
    writer.member("seed", String(arrival.seed))
    writer.member("priority", arrival.priority)
    writer.member("tenant", arrival.tenant)
    if let origin = arrival.forkedFrom {
      writer.member("forked_from", origin.rawValue)
      writer.member("generated", arrival.generatedTokens)
    }
    writer.member("stop_condition", arrival.hasStopCondition)
    writer.member("constraint", arrival.hasConstraint)
    writer.endObject()
    writer.endObject()
    writer.endLine()
  }

  /// Names are those of prompts files; what is nil is left out.
  private mutating func append(_ sampling: SamplingParameters) {
    writer.beginObject()
    writer.member("temperature", sampling.temperature)
    writer.member("top_k", sampling.topK)
    writer.member("top_p", sampling.topP)
    writer.member("min_p", sampling.minP)
    if let count = sampling.maxTokens { writer.member("max_tokens", count) }
    writer.member("min_tokens", sampling.minTokens)
    writer.member("stop_token_ids", sampling.stopTokenIDs)
    writer.member("ignore_eos", sampling.ignoreEOS)
    if let count = sampling.logprobs { writer.member("logprobs", count) }
    if let count = sampling.promptLogprobs { writer.member("prompt_logprobs", count) }
    writer.member("repetition_penalty", sampling.repetitionPenalty)
    writer.member("presence_penalty", sampling.presencePenalty)
    writer.member("frequency_penalty", sampling.frequencyPenalty)
    if !sampling.logitBias.isEmpty {
      writer.key("logit_bias")
      writer.beginArray()
      for (token, bias) in sampling.logitBias.sorted(by: { $0.key < $1.key }) {
        writer.beginArray()
        writer.integer(token)
        writer.number(Double(bias))
        writer.endArray()
      }
      writer.endArray()
    }
    if let tokens = sampling.allowedTokenIDs { writer.member("allowed_token_ids", tokens) }
    writer.endObject()
  }
}
