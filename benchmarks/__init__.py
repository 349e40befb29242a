"""Speed, memory and quality of Impasto, side by side with the baseline: see `__main__`.

Measuring (`measuring`) appends to a file of `records`; reporting (`figures`, `report`, `plots`)
makes tables and plots of it and measures nothing.
"""
