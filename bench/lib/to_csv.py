"""Writes a table of that many rows as gzipped CSV each time a line comes in."""

import sys

import numpy
import pandas

rows, folder = int(sys.argv[1]), sys.argv[2]
random = numpy.random.default_rng(1)
words = numpy.array("amber basil cedar delta ember fjord grove hazel iris jade kelp linen maple north".split())
table = pandas.DataFrame(
    {
        "id": numpy.arange(rows, dtype="int32"),
        "time": pandas.to_datetime(random.integers(1.7e12, 1.8e12, rows), unit="ms"),
        "delay": random.random(rows) * 300,
        "distance": random.random(rows) * 5000,
        "carrier": pandas.Series(random.integers(0, 20, rows)).map(lambda value: f"carrier-{value}"),
        "note": [" ".join(row) for row in words[random.integers(0, len(words), (rows, 4))]],
        "cancelled": random.random(rows) < 0.02,
    }
)
print("ready", flush=True)
for _ in sys.stdin:
    table.to_csv(f"{folder}/table.csv.gz", index=False, compression="gzip")
    print("done", flush=True)
