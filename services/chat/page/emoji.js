// The emoji that are offered. The server takes any (services/chat/emoji.py); these are what people mostly mean.

/** One touch away. */
export const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

/** The others, by what they are for. */
export const MORE = [
  ...["👎", "👏", "🙌", "👌", "🤝", "💪", "👀", "🤞", "✌️", "👋", "🫡", "🤷"],
  ...["🙂", "😉", "😊", "😍", "🥰", "😎", "🤔", "🤨", "😐", "😴", "🥳", "🤩"],
  ...["😅", "😢", "😭", "😡", "😱", "🤯", "😬", "🙄", "🤦", "🫠", "🤒", "😇"],
  ...["✅", "❌", "❓", "❗", "💯", "🔥", "⭐", "✨", "💡", "🚀", "⏳", "📌"],
  ...["☕", "🍕", "🍰", "🍻", "🌞", "🌈", "🐦", "🐛", "🎁", "🏆", "💔", "💙"],
];
