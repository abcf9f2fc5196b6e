// A binary search tree in a static arena: random keys are inserted, found, removed and summed.
// Measures: pointer chasing with branches that cannot be predicted, and recursion over nodes.
#include "../kernel.h"

enum { kKeys = 60000, kKeyBits = 18 };

struct Node {
  u32 key;
  u32 count;  // how often the key was inserted
  struct Node* left;
  struct Node* right;
};

static struct Node arena[kKeys];
static u32 used;
static struct Node* root;

static void insert(u32 key) {
  struct Node** link = &root;
  while (*link != 0) {
    struct Node* node = *link;
    if (key == node->key) {
      node->count++;
      return;
    }
    link = key < node->key ? &node->left : &node->right;
  }
  struct Node* node = &arena[used++];
  node->key = key;
  node->count = 1;
  node->left = 0;
  node->right = 0;
  *link = node;
}

static u32 count_of(u32 key) {
  const struct Node* node = root;
  while (node != 0 && node->key != key) node = key < node->key ? node->left : node->right;
  return node != 0 ? node->count : 0;
}

// Takes the least node out of a tree that is not empty.
static struct Node* take_least(struct Node** link) {
  while ((*link)->left != 0) link = &(*link)->left;
  struct Node* least = *link;
  *link = least->right;
  return least;
}

static void remove_key(u32 key) {
  struct Node** link = &root;
  while (*link != 0 && (*link)->key != key) {
    link = key < (*link)->key ? &(*link)->left : &(*link)->right;
  }
  struct Node* node = *link;
  if (node == 0) return;
  if (node->right == 0) {
    *link = node->left;
    return;
  }
  struct Node* heir = take_least(&node->right);
  heir->left = node->left;
  heir->right = node->right;
  *link = heir;
}

// Random keys keep the depth near twice the binary logarithm of the number of nodes.
static u32 sum(const struct Node* node, u32 depth) {
  if (node == 0) return depth;
  u32 left = sum(node->left, depth + 1);
  u32 right = sum(node->right, depth + 1);
  return mix(left, node->key) + mix(right, node->count);
}

i32 bench(i32 rounds) {
  u32 random = 0x8F1BBCDCu;
  u32 checksum = 0;
  for (i32 round = 0; round < rounds; round++) {
    root = 0;
    used = 0;
    u32 start = random;
    for (u32 i = 0; i < kKeys; i++) insert(next_random(&random) >> (32 - kKeyBits));
    checksum = mix(checksum, sum(root, 0));
    for (u32 i = 0; i < kKeys; i++) {
      checksum += count_of(next_random(&random) >> (32 - kKeyBits));
    }
    random = start;
    for (u32 i = 0; i < kKeys / 2; i++) remove_key(next_random(&random) >> (32 - kKeyBits));
    checksum = mix(checksum, sum(root, 0));
    random ^= checksum & 0xFFFF;
    if (random == 0) random = 1;
  }
  return (i32)checksum;
}
