"""Microbubble localization in single-channel ultrasound RF lines.

Data flow: scene → echoes → RF line → dataset file → network → detections → scores → figures.
Subpackages are imported on demand, so that ``import bubbleloc`` stays instant.
"""

__version__ = "0.1.0"
