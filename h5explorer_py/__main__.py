import sys

from h5explorer_py.cli import main

sys.exit(main())
