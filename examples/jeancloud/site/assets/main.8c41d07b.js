const state = document.getElementById("state");
fetch("/api/health")
  .then((answer) => (answer.ok ? "en ligne" : `erreur ${answer.status}`))
  .catch(() => "hors ligne")
  .then((text) => {
    state.textContent = text;
  });
