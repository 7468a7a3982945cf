# SPDX-License-Identifier: Apache-2.0
"""Oracle's cloud as far as ocirfs needs it, on loopback; see README.md."""
