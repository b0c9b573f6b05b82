"""`driver = "vagrant"`: a virtual machine, reached by SSH where Vagrant says."""
