"""`driver = "vagrant"`: a virtual machine managed by Vagrant, and reached by SSH."""
