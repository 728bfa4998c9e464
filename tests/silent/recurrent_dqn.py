"""DRQN: a GRU estimates action values; whole episodes are replayed, padded and masked."""
import random
from collections import deque
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import torch
from torch import nn


@dataclass
class Config:
    env: str = "MiniGrid-MemoryS7-v0"
    episodes: int = 5000
    capacity: int = 500
    batch_episodes: int = 16
    unroll: int = 32
    gamma: float = 0.98
    lr: float = 2.5e-4
    target_every: int = 50
    eps_start: float = 1.0
    eps_end: float = 0.05
    eps_decay: int = 3000
    grad_norm: float = 10.0
    seed: int = 3


class QNet(nn.Module):
    def __init__(self, obs_dim, n_actions, hidden=64):
        super().__init__()
        self.fc = nn.Linear(obs_dim, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.q = nn.Linear(hidden, n_actions)

    def forward(self, obs, h=None):
        x, h = self.gru(torch.relu(self.fc(obs)), h)
        return self.q(x), h


class EpisodeReplay:
    def __init__(self, capacity, unroll):
        self.episodes = deque(maxlen=capacity)
        self.unroll = unroll

    def add(self, episode):
        self.episodes.append(episode)

    def sample(self, n):
        chosen = random.sample(self.episodes, n)
        pieces = []
        for ep in chosen:
            start = random.randint(0, max(0, len(ep) - self.unroll))
            pieces.append(ep[start : start + self.unroll])
        length = max(map(len, pieces))
        obs = np.zeros((n, length + 1, len(pieces[0][0][0])), np.float32)
        act = np.zeros((n, length), np.int64)
        rew = np.zeros((n, length), np.float32)
        done = np.ones((n, length), np.float32)
        mask = np.zeros((n, length), np.float32)
        for i, piece in enumerate(pieces):
            for t, (o, a, r, o2, d) in enumerate(piece):
                obs[i, t], obs[i, t + 1], act[i, t], rew[i, t], done[i, t], mask[i, t] = o, o2, a, r, d, 1.0
        return [torch.from_numpy(v) for v in (obs, act, rew, done, mask)]


def update(online, target, optimizer, batch, cfg):
    obs, act, rew, done, mask = batch
    q, _ = online(obs[:, :-1])
    q = q.gather(2, act.unsqueeze(-1)).squeeze(-1)
    with torch.no_grad():
        best = online(obs)[0][:, 1:].argmax(-1, keepdim=True)
        next_q = target(obs)[0][:, 1:].gather(2, best).squeeze(-1)
        y = rew + cfg.gamma * (1 - done) * next_q
    loss = (nn.functional.smooth_l1_loss(q, y, reduction="none") * mask).sum() / mask.sum()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(online.parameters(), cfg.grad_norm)
    optimizer.step()
    return loss.item()


def main(cfg: Config) -> None:
    random.seed(cfg.seed)
    np.random.seed(cfg.seed)
    torch.manual_seed(cfg.seed)
    env = gym.wrappers.FlattenObservation(gym.make(cfg.env))
    online = QNet(env.observation_space.shape[0], env.action_space.n)
    target = QNet(env.observation_space.shape[0], env.action_space.n)
    target.load_state_dict(online.state_dict())
    optimizer = torch.optim.Adam(online.parameters(), lr=cfg.lr)
    replay = EpisodeReplay(cfg.capacity, cfg.unroll)

    for episode in range(cfg.episodes):
        epsilon = cfg.eps_end + (cfg.eps_start - cfg.eps_end) * max(0.0, 1 - episode / cfg.eps_decay)
        obs, _ = env.reset(seed=cfg.seed + episode)
        h, done, steps = None, False, []
        while not done:
            with torch.no_grad():
                q, h = online(torch.as_tensor(obs, dtype=torch.float32).view(1, 1, -1), h)
            action = env.action_space.sample() if random.random() < epsilon else q[0, -1].argmax().item()
            next_obs, reward, terminated, truncated, _ = env.step(action)
            steps.append((obs, action, reward, next_obs, float(terminated)))
            obs, done = next_obs, terminated or truncated
        replay.add(steps)
        if len(replay.episodes) >= cfg.batch_episodes:
            loss = update(online, target, optimizer, replay.sample(cfg.batch_episodes), cfg)
            if episode % 100 == 0:
                print(f"{episode} return {sum(s[2] for s in steps):.2f} loss {loss:.4f}")
        if episode % cfg.target_every == 0:
            target.load_state_dict(online.state_dict())


if __name__ == "__main__":
    main(Config())
