// From the vendor's guide, without jQuery.
(function () {
  'use strict';
  var list = document.getElementById('links');

  function add(text, uri) {
    var item = document.createElement('li');
    var content = document.createElement(uri ? 'a' : 'span');
    content.textContent = text;
    if (uri) content.href = uri;
    item.appendChild(content);
    list.appendChild(item);
  }

  if (!window.sb || !window.sb.uris) {
    add('The portal refused the signed URL, so its script did not load.');
    return;
  }
  add('Login as user', window.sb.uris.user);
  Object.keys(window.sb.uris.sites).forEach(function (id) {
    add('Login to site ' + id, window.sb.uris.sites[id]);
  });
})();
