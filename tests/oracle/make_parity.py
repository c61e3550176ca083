"""Writes parity.txt, the golden results of every op, layer and optimizer by PyTorch on the CPU in f64.

    python tests/oracle/make_parity.py        (needs PyTorch 2.x and NumPy; run by hand, the result is committed)

parity_book.py says what the lines mean.
"""

import pathlib
import warnings

import torch

import parity_layers
import parity_ops
import parity_optimizers
import parity_products
from parity_book import Book


def main():
    warnings.simplefilter("ignore")  # schedulers in a sequence warn of their own calls
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    book = Book()
    for part in (parity_ops, parity_products, parity_layers, parity_optimizers):
        part.write(book)
    head = f"# PyTorch {torch.__version__} on the CPU in f64; written by make_parity.py.\n"
    (pathlib.Path(__file__).parent / "parity.txt").write_text(head + "\n".join(book.lines) + "\n", encoding="ascii")


main()
