// The 64 symbols of the short authentication string, six bits each. Common things and animals that
// look alike in no font, are drawn since 2017 and are easy to say; their names are sas.0 to sas.63.

export const emoji = [
  ...['🦊', '🐘', '🐢', '🐧', '🐙', '🦋', '🐝', '🐳', '🦉', '🐪', '🦓', '🐰', '🐌', '🐴', '🦁', '🐼'],
  ...['🌵', '🍄', '🌻', '🌳', '🍀', '🍋', '🍒', '🍌', '🥕', '🍉', '🌽', '🍞', '🧀', '🎂', '🍍', '🍯'],
  ...['🌙', '⭐', '🔥', '⛄', '⚡', '🌊', '🌋', '☔', '🎈', '🎁', '🎸', '🎺', '🥁', '🎲', '🏆', '💡'],
  ...['⚓', '🚲', '🚂', '🚀', '⛵', '🚁', '🏠', '⛺', '🌉', '🔑', '🔔', '🔨', '📎', '📷', '⏰', '👓'],
];
