"""Adam: gradient descent that finds a step size for each number by itself."""

from __future__ import annotations

import torch

__all__ = ["Adam"]


class Adam:
    r"""Adam (Kingma & Ba 2015, Algorithm 1), on all of a network's numbers at once.

    With g the gradient, :math:`m \leftarrow \beta_1 m + (1-\beta_1) g` and
    :math:`v \leftarrow \beta_2 v + (1-\beta_2) g^2`,

    .. math:: \theta \leftarrow \theta
       - \eta \, \frac{m / (1-\beta_1^t)}{\sqrt{v / (1-\beta_2^t)} + \epsilon}

    The parameters are laid into one vector θ and become views of it: the rule is then
    as short, and as quick, as it looks.

    Parameters
    ----------
    parameters : iterable of torch.nn.Parameter, float32
        Those that require no gradient stay as they are.
    lr : float
        :math:`\eta`.
    weight_decay : float
        λ of a penalty ½λ|θ|², whose gradient λθ is added to g.
    """

    def __init__(self, parameters, lr=1e-3, weight_decay=0.0):
        parameters = [p for p in parameters if p.requires_grad]
        self.theta = torch.cat([p.detach().flatten() for p in parameters])
        self.gradient, self.m, self.v = torch.zeros(3, len(self.theta))
        self.lr, self.weight_decay, self.t = lr, weight_decay, 0
        place = 0
        for p in parameters:
            mine = slice(place, place := place + p.numel())
            p.data = self.theta[mine].view_as(p)
            p.grad = self.gradient[mine].view_as(p)  # backward() adds to it in place

    def step(self, beta1=0.9, beta2=0.999, epsilon=1e-8):
        """Move θ along the gradients that backward() left, and clear them."""
        self.t += 1
        g = self.gradient
        if self.weight_decay:
            g.add_(self.theta, alpha=self.weight_decay)
        self.m.lerp_(g, 1 - beta1)
        self.v.lerp_(g.square(), 1 - beta2)
        size = (self.v / (1 - beta2**self.t)).sqrt_().add_(epsilon)
        self.theta.addcdiv_(self.m, size, value=-self.lr / (1 - beta1**self.t))
        g.zero_()
