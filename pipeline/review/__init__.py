"""The review page of one episode: a person listens to starts in the browser, and confirms, moves or rejects them.

`session.ReviewSession` is what a person works on: the features with their placements and corrections, decisions with
undo, and the new alignment at the end. `server.serve` answers the page's requests on 127.0.0.1 through
`access.AccessControl`, which lets nothing else in; the page itself is `web/review`. The package knows no command line
and makes no decisions about starts itself: corrections are stored by `core.corrections` and applied by the alignment. A
new action of the page is a method of the session, a route of the server, and a button or key of `review.js`.
"""
