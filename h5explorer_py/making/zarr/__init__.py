"""Zarr stores of pictures: laid out, written shard by shard, appended to."""
