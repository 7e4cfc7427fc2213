// Entry: keeps a word in a cookie of this app, and draws nothing.

const A_YEAR = 31536000; // seconds

export function mount({ data }) {
  document.cookie = `${data.cookie}; path=${data.path}; max-age=${A_YEAR}; SameSite=Strict`;
}
