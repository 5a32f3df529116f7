"""Several HDF5 files of pictures put into one."""
