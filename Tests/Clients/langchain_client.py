"""LangChain's OpenAI classes, unchanged but for the address: chat, streams, batches, completions."""

import sys

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI, OpenAI

from checks import expect


if __name__ == "__main__":
    settings = dict(model="apus-stories", base_url=sys.argv[1], api_key="none", temperature=0, max_retries=0)
    chat = ChatOpenAI(**settings, max_tokens=30)
    answer = chat.invoke([HumanMessage("Tell me about the fox")])
    expect(answer.content.startswith("\n\nThe fox is"), answer)
    expect(answer.usage_metadata["output_tokens"] == 30, answer.usage_metadata)
    chunks = list(chat.stream([HumanMessage("Tell me about the fox")]))
    expect(len(chunks) > 5 and "".join(chunk.content for chunk in chunks) == answer.content, chunks)
    several = chat.batch([[HumanMessage(f"Tell me about the {name}")] for name in ["fox", "owl", "rain"]])
    expect(several[0].content == answer.content and "owl" in several[1].content, several)
    talk = [SystemMessage("You tell stories."), HumanMessage("Hello"), AIMessage("Hello."), HumanMessage("Go on")]
    expect(chat.invoke(talk).content)
    expect(chat.bind(stop=["small"]).invoke("Tell me about the fox").content.endswith("is a "))
    completion = OpenAI(**settings, max_tokens=30)
    expect(completion.invoke("Tell me about the fox") == answer.content)
    expect("".join(completion.stream("Tell me about the fox")) == answer.content)
    print("langchain client: passed")
