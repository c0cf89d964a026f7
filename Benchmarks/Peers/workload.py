"""What every engine is given, and what it gives back."""

import random
from dataclasses import asdict, dataclass

import shape


@dataclass(frozen=True)
class Workload:
    """`batch_size` sequences of random token ids, all of the same length, generated together by greedy decoding."""

    weights: str
    batch_size: int
    prompt_tokens: int
    generated_tokens: int
    threads: int

    def prompts(self, vocabulary_size: int = shape.CONFIG["vocab_size"]) -> list[list[int]]:
        source = random.Random(shape.SEED)
        return [
            [source.randrange(1, vocabulary_size) for _ in range(self.prompt_tokens)] for _ in range(self.batch_size)
        ]

    @property
    def title(self) -> str:
        return f"{self.weights}, batch {self.batch_size}"


@dataclass
class Sample:
    """One engine's run of a workload. Rates are in tokens a second over all sequences of the batch.

    prefill: prompt tokens over the time in which prompts alone ran. decode: the tokens after each sequence's first,
    over the time of the steps that gave them, with the whole batch. bandwidth: bytes a second that memory gave
    just before.
    """

    engine: str
    version: str
    workload: Workload
    prefill: float
    decode: float
    bandwidth: float = 0.0
    pair: str = ""

    def json(self) -> dict:
        return asdict(self)

    @staticmethod
    def parse(fields: dict) -> "Sample":
        return Sample(**fields | {"workload": Workload(**fields["workload"])})

    @staticmethod
    def timed(engine: str, version: str, workload: Workload, prefill_seconds: float, decode_seconds: float) -> "Sample":
        """decode_seconds are those of generated_tokens - 1 steps."""
        return Sample(
            engine=engine,
            version=version,
            workload=workload,
            prefill=workload.batch_size * workload.prompt_tokens / prefill_seconds,
            decode=workload.batch_size * (workload.generated_tokens - 1) / decode_seconds,
        )
