"""One HDF5 file of pictures in one array, in the layout of h5manager."""
