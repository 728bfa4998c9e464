"""PPO with a GRU policy: sequences of the rollout are replayed from their stored first state."""
import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Normal

NUM_ENVS, STEPS, UPDATES, EPOCHS, MINIBATCH_ENVS = 16, 128, 1000, 4, 4
GAMMA, LAM, CLIP, ENT, VF, MAX_NORM, LR = 0.99, 0.95, 0.2, 0.001, 0.5, 0.5, 3e-4


class Policy(nn.Module):
    def __init__(self, obs_dim, act_dim, hidden=128):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh())
        self.gru = nn.GRUCell(hidden, hidden)
        self.mu = nn.Linear(hidden, act_dim)
        self.log_std = nn.Parameter(torch.zeros(act_dim))
        self.value = nn.Linear(hidden, 1)
        self.hidden = hidden

    def step(self, obs, h, start):
        h = self.gru(self.body(obs), h * (1 - start).unsqueeze(-1))
        return Normal(self.mu(h), self.log_std.exp()), self.value(h).squeeze(-1), h

    def unroll(self, obs, h, starts):
        mus, values = [], []
        for t in range(obs.size(0)):
            dist, value, h = self.step(obs[t], h, starts[t])
            mus.append(dist.mean)
            values.append(value)
        return Normal(torch.stack(mus), self.log_std.exp()), torch.stack(values)


def gae(rewards, values, starts, last_value, last_start):
    advantages, running = torch.zeros_like(rewards), 0.0
    for t in reversed(range(STEPS)):
        nonterminal = 1 - (starts[t + 1] if t + 1 < STEPS else last_start)
        next_value = values[t + 1] if t + 1 < STEPS else last_value
        delta = rewards[t] + GAMMA * next_value * nonterminal - values[t]
        running = delta + GAMMA * LAM * nonterminal * running
        advantages[t] = running
    return advantages


def main():
    torch.manual_seed(0)
    np.random.seed(0)
    envs = gym.vector.AsyncVectorEnv([lambda: gym.make("Pendulum-v1") for _ in range(NUM_ENVS)])
    policy = Policy(3, 1)
    optimizer = torch.optim.Adam(policy.parameters(), lr=LR, eps=1e-5)
    obs = torch.as_tensor(envs.reset(seed=0)[0], dtype=torch.float32)
    start = torch.ones(NUM_ENVS)
    h = torch.zeros(NUM_ENVS, policy.hidden)

    for update in range(UPDATES):
        for group in optimizer.param_groups:
            group["lr"] = LR * (1 - update / UPDATES)
        h0 = h.clone()
        buffer = {k: [] for k in ("obs", "actions", "log_probs", "rewards", "values", "starts")}
        with torch.no_grad():
            for _ in range(STEPS):
                dist, value, h = policy.step(obs, h, start)
                action = dist.sample()
                for key, item in (("obs", obs), ("actions", action), ("values", value), ("starts", start),
                                  ("log_probs", dist.log_prob(action).sum(-1))):
                    buffer[key].append(item)
                next_obs, reward, terminated, truncated, _ = envs.step(action.clamp(-2, 2).numpy())
                buffer["rewards"].append(torch.as_tensor(reward, dtype=torch.float32) / 10)
                obs = torch.as_tensor(next_obs, dtype=torch.float32)
                start = torch.as_tensor(terminated | truncated, dtype=torch.float32)
            _, last_value, _ = policy.step(obs, h, start)
        b = {k: torch.stack(v) for k, v in buffer.items()}
        advantages = gae(b["rewards"], b["values"], b["starts"], last_value, start)
        returns = advantages + b["values"]
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)

        for _ in range(EPOCHS):
            for envs_idx in torch.randperm(NUM_ENVS).split(MINIBATCH_ENVS):
                dist, values = policy.unroll(b["obs"][:, envs_idx], h0[envs_idx], b["starts"][:, envs_idx])
                log_probs = dist.log_prob(b["actions"][:, envs_idx]).sum(-1)
                ratio = (log_probs - b["log_probs"][:, envs_idx]).exp()
                adv = advantages[:, envs_idx]
                policy_loss = -torch.min(ratio * adv, ratio.clamp(1 - CLIP, 1 + CLIP) * adv).mean()
                value_loss = (values - returns[:, envs_idx]).pow(2).mean()
                loss = policy_loss + VF * value_loss - ENT * dist.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(policy.parameters(), MAX_NORM)
                optimizer.step()
        if update % 10 == 0:
            print(f"update {update}: reward per step {b['rewards'].mean().item() * 10:.2f}")


if __name__ == "__main__":
    main()
