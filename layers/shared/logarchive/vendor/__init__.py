"""What several APIs of one vendor share.

What happens here: signatures, error codes and log formats of NAVER Cloud and Tencent Cloud.
It may not know: a particular provider's requests, connections, AWS, or the ledger.
"""
