"""Decoding picture files to arrays, with every value that they hold.

Where the panels want what a browser can show, this keeps numbers as they are: 16 bits, floating point, many bands.
"""
