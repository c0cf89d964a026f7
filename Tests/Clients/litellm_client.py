"""LiteLLM, told that this is an OpenAI-compatible server: chat, streams, completions, errors."""

import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm  # noqa: E402

from checks import expect  # noqa: E402


if __name__ == "__main__":
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    settings = dict(api_base=sys.argv[1], api_key="none", temperature=0, max_tokens=30, num_retries=0)
    messages = [{"role": "user", "content": "Tell me about the fox"}]
    answer = litellm.completion(model="openai/apus-stories", messages=messages, **settings)
    text = answer.choices[0].message.content
    expect(text.startswith("\n\nThe fox is"), answer)
    expect(answer.usage.completion_tokens == 30, answer.usage)
    stream = litellm.completion(model="openai/apus-stories", messages=messages, stream=True, **settings)
    chunks = list(stream)
    expect(len(chunks) > 5, chunks)
    expect("".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text, chunks)
    plain = litellm.text_completion(
        model="text-completion-openai/apus-stories", prompt="Tell me about the fox", **settings)
    expect(plain.choices[0].text == text, plain)
    try:
        litellm.completion(model="openai/none-such", messages=messages, **settings)
    except litellm.NotFoundError as error:
        expect(error.status_code == 404)
    else:
        raise SystemExit("litellm client: an unknown model was not refused")
    print("litellm client: passed")
