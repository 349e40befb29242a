"""Style transfer itself: no Telegram, no queue, no files but weights. Needs torch.

`painter.paint` is the way in: a request goes in, a stream of progress comes out.
"""
