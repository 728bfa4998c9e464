"""Advantage actor-critic with an LSTM policy on a partially observable CartPole."""
import gymnasium as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.distributions import Categorical

GAMMA = 0.99
ENTROPY = 0.01
VALUE = 0.5
MAX_GRAD_NORM = 0.5
ROLLOUT = 20
NUM_ENVS = 16
TOTAL_UPDATES = 20_000


class RecurrentActorCritic(nn.Module):
    def __init__(self, obs_dim, n_actions, hidden=128):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh())
        self.core = nn.LSTMCell(hidden, hidden)
        self.actor = nn.Linear(hidden, n_actions)
        self.critic = nn.Linear(hidden, 1)
        self.hidden = hidden
        for module in (self.actor, self.critic):
            nn.init.orthogonal_(module.weight, 0.01 if module is self.actor else 1.0)
            nn.init.zeros_(module.bias)

    def initial_state(self, n):
        device = self.actor.weight.device
        return torch.zeros(n, self.hidden, device=device), torch.zeros(n, self.hidden, device=device)

    def forward(self, obs, state, not_done):
        h, c = state
        h, c = h * not_done.unsqueeze(1), c * not_done.unsqueeze(1)
        h, c = self.core(self.encoder(obs), (h, c))
        return Categorical(logits=self.actor(h)), self.critic(h).squeeze(-1), (h, c)


def hide_velocity(obs):
    return torch.as_tensor(obs[:, [0, 2]], dtype=torch.float32)


def main(seed=0):
    torch.manual_seed(seed)
    np.random.seed(seed)
    envs = gym.vector.SyncVectorEnv([lambda: gym.make("CartPole-v1") for _ in range(NUM_ENVS)])
    model = RecurrentActorCritic(2, envs.single_action_space.n)
    optimizer = optim.RMSprop(model.parameters(), lr=7e-4, alpha=0.99, eps=1e-5)

    obs, _ = envs.reset(seed=seed)
    state = model.initial_state(NUM_ENVS)
    not_done = torch.ones(NUM_ENVS)
    for update in range(TOTAL_UPDATES):
        state = tuple(s.detach() for s in state)
        log_probs, values, rewards, masks, entropies = [], [], [], [], []
        for _ in range(ROLLOUT):
            policy, value, state = model(hide_velocity(obs), state, not_done)
            action = policy.sample()
            obs, reward, terminated, truncated, _ = envs.step(action.numpy())
            not_done = torch.as_tensor(~(terminated | truncated), dtype=torch.float32)
            log_probs.append(policy.log_prob(action))
            entropies.append(policy.entropy())
            values.append(value)
            rewards.append(torch.as_tensor(reward, dtype=torch.float32))
            masks.append(not_done)

        with torch.no_grad():
            _, bootstrap, _ = model(hide_velocity(obs), state, not_done)
        returns, running = [], bootstrap
        for reward, mask in zip(reversed(rewards), reversed(masks)):
            running = reward + GAMMA * running * mask
            returns.insert(0, running)

        returns = torch.stack(returns)
        values = torch.stack(values)
        advantages = returns - values.detach()
        policy_loss = -(torch.stack(log_probs) * advantages).mean()
        value_loss = F.mse_loss(values, returns)
        loss = policy_loss + VALUE * value_loss - ENTROPY * torch.stack(entropies).mean()

        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        optimizer.step()
        if update % 100 == 0:
            print(update, loss.item(), returns.mean().item())
    torch.save(model.state_dict(), "a2c_lstm.pt")


if __name__ == "__main__":
    main()
