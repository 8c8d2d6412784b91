import torch
from torch.nn import functional

from starter.attention import SpelledOutAttention


def test_agrees_with_fused_attention_and_gives_the_bias_a_gradient() -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 10, 8)
    bias = torch.randn(1, 4, 10, 10, requires_grad=True)
    fused = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    with SpelledOutAttention():
        spelled = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    assert spelled.dtype == torch.bfloat16
    torch.testing.assert_close(spelled.float(), fused, atol=0.05, rtol=0.05)

    wanted = torch.autograd.grad(fused.square().sum(), bias)[0]
    given = torch.autograd.grad(spelled.float().square().sum(), bias)[0]
    assert functional.cosine_similarity(wanted.flatten(), given.flatten(), dim=0) > 0.99
