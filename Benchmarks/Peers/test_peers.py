"""What needs no engine: python -m unittest, in this folder."""

import json
import tempfile
import unittest
from pathlib import Path

import engines
import report
import shape
from engines import apus
from workload import Sample, Workload

WORKLOAD = Workload(weights="bf16", batch_size=8, prompt_tokens=32, generated_tokens=5, threads=2)


def sample(engine: str, decode: float, pair: str, workload: Workload = WORKLOAD) -> Sample:
    return Sample(engine, "1", workload, prefill=2 * decode, decode=decode, bandwidth=20e9, pair=pair)


class PeersTests(unittest.TestCase):
    def test_prompts_are_the_same_every_time_and_within_the_vocabulary(self):
        prompts = WORKLOAD.prompts(100)
        self.assertEqual(prompts, WORKLOAD.prompts(100))
        self.assertEqual([len(prompt) for prompt in prompts], [32] * 8)
        self.assertTrue(all(0 < token < 100 for prompt in prompts for token in prompt))

    def test_rates_count_all_sequences_and_no_first_token_as_decoded(self):
        found = Sample.timed("x", "1", WORKLOAD, prefill_seconds=2, decode_seconds=4)
        self.assertEqual((found.prefill, found.decode), (8 * 32 / 2, 8 * 4 / 4))

    def test_samples_survive_their_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "samples.jsonl"
            written = [sample("Apus", 10, "llama-0"), sample("llama.cpp", 5, "llama-0")]
            path.write_text("".join(json.dumps(one.json()) + "\n" for one in written))
            self.assertEqual(report.read(path), written)

    def test_ratios_are_taken_within_pairs(self):
        samples = [sample("Apus", rate, f"llama-{index}") for index, rate in enumerate([10, 30, 50])]
        samples += [sample("Apus", 1000, "openvino-0")]
        samples += [sample("llama.cpp", rate, f"llama-{index}") for index, rate in enumerate([5, 10, 50])]
        table = report.markdown(samples)
        self.assertIn("| bf16 | 8 | llama.cpp | 3 | 20.0 |", table)
        self.assertIn("10.0 (5.00 to 50.0)", table)
        self.assertIn("2.00 (1.00 to 3.00) x", table)

    def test_tables_are_sorted_by_precision_and_batch(self):
        workloads = [Workload(name, size, 8, 8, 2) for name in ("int4", "f32", "bf16") for size in (8, 1)]
        table = report.markdown([sample("Apus", 1, "a", workload) for workload in workloads])
        rows = [tuple(line.split(" | ")[:2]) for line in table.splitlines()[2:]]
        expected = [(f"| {name}", size) for name in ("f32", "bf16", "int4") for size in ("1", "8")]
        self.assertEqual(rows, expected)

    def test_batch_benchmarks_report_is_read(self):
        run = {"prefill_tokens_per_second": 200.0, "decode_tokens_per_second": 100.0}
        fields = {"machine": {"instruction_set": "avx2"}, "workloads": [{"report": {"rows": [{"runs": [run]}]}}]}
        found = apus.sample(fields, WORKLOAD)
        self.assertEqual((found.prefill, found.decode, found.version), (200, 100, "avx2"))

    def test_every_engine_says_what_it_is(self):
        for name in engines.MODULES:
            module = engines.load(name)
            self.assertTrue(module.NAME and callable(module.measure) and callable(module.missing))
            self.assertEqual(hasattr(module, "model_path"), name in shape.FILES)


if __name__ == "__main__":
    unittest.main()
