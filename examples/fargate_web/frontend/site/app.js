const list = document.getElementById("users");
const state = document.getElementById("state");

async function show() {
  const [users, health] = await Promise.all(
    ["/api/users", "/api/health"].map(async (path) => {
      const answer = await fetch(path);
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      return answer.json();
    }),
  );
  list.replaceChildren(
    ...users.users.map((user) => {
      const item = document.createElement("li");
      item.textContent = user.name;
      return item;
    }),
  );
  state.textContent = `Version ${health.version}`;
}

show().catch((error) => {
  list.replaceChildren();
  state.textContent = `The back end does not answer (${error.message})`;
});
