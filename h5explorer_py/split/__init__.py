"""Split data sets: arrays in folders of numbered HDF5 files, as the package ``split_dataset`` reads and writes them."""

from __future__ import annotations

from h5explorer_py.split.blocks import Blocks
from h5explorer_py.split.dataset import SplitDataset
from h5explorer_py.split.save import save_to_split_dataset
from h5explorer_py.split.writer import SplitWriter

__all__ = ["Blocks", "SplitDataset", "SplitWriter", "save_to_split_dataset"]
