"""`python -m serving.handbook` prints the page."""

import sys

from serving.handbook import page

if __name__ == "__main__":
    sys.stdout.write(page())
