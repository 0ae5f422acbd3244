"""The real one looks for VirtualBox and raises ImportError without it; this one wants to be asked for."""

import os

if not os.environ.get("VBOX_STUB_HOME"):
    raise ImportError("vboxapi-stub plays VirtualBox only where VBOX_STUB_HOME names a directory")
