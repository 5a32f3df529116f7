"""Making data sets of pictures: folders, lists and arrays become shards, one HDF5 file, or a Zarr store."""
