import os

# moto makes some thousand machine images for every account that EC2 is asked in, which no test of ours looks at
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
