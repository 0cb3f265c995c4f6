"""The Tracy–Widom law with β = 1: of the largest eigenvalue at a regular edge of the spectrum."""

MEAN = -1.2065335745820
QUANTILES = {0.1: -2.78242790, 0.5: -1.26857450, 0.9: 0.45014340}
