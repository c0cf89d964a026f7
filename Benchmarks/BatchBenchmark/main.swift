print("batch-benchmark")
