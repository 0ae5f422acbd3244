"""As much of VirtualBox's xpcom package as vboxapi wants."""

import sys


class nsError:
    NS_OK = 0
    NS_ERROR_FAILURE = -2147467259
    NS_ERROR_ABORT = -2147467260
    NS_ERROR_NULL_POINTER = -2147467261
    NS_ERROR_NO_INTERFACE = -2147467262
    NS_ERROR_NOT_IMPLEMENTED = -2147467263
    NS_ERROR_INVALID_ARG = -2147024809
    NS_ERROR_OUT_OF_MEMORY = -2147024882
    NS_ERROR_UNEXPECTED = -2147418113


class Exception(Exception):
    def __init__(self, errno, message=None):
        super().__init__(errno)
        self.errno = errno - (1 << 32) if errno > 0x7FFFFFFF else errno
        self.msg = message

    def __str__(self):
        return f"0x{self.errno & 0xFFFFFFFF:x} ({self.msg})"


COMException = Exception


class _xpcom:
    @staticmethod
    def AttachThread():
        pass

    @staticmethod
    def DetachThread():
        pass

    @staticmethod
    def DeinitCOM():
        pass

    @staticmethod
    def WaitForEvents(_timeout):
        return 2

    @staticmethod
    def InterruptWait():
        return True


sys.modules.setdefault("xpcom._xpcom", _xpcom)
