// Serves the index page for paths that only the application in the browser knows: those without an extension.
// The role fills in the name of the index page.
function handler(event) {
  var request = event.request;
  if (request.uri.split('/').pop().indexOf('.') < 0) {
    request.uri = '/INDEX_DOCUMENT';
  }
  return request;
}
