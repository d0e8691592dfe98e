"""What makes the suite quick, and changes nothing that it looks at."""

import gc
import os

from sandbox import models

# moto makes some thousand machine images for every account that EC2 is asked in
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

# what is imported once stays; looking through it again and again is a tenth of all time
gc.set_threshold(50_000, 20, 50)

models.keep()
