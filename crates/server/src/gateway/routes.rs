//! The paths of the gateway, each also behind the name of a pool.

use super::answering::respond;
use super::entrance::{Entrance, Named};
use crate::app::App;
use crate::layers::whole;
use crate::problem::Failure;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::Uri;
use http::request::Parts;
use mainstay_core::Error;
use mainstay_core::api::Code;
use mainstay_gateway::Protocol;
use mainstay_gateway::serving::{Addressed, Asked, Gateway, ListModels, Wish};
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// All of them. What they need is looked at by each: a gateway key, or a credential with the scope `gateway:use`.
pub(crate) fn routes() -> Router<Arc<App>> {
    ["", "/{pool}"]
        .into_iter()
        .fold(Router::new(), |routes, pool| {
            routes
                .route(&format!("{pool}/v1/chat/completions"), post(chat))
                .route(&format!("{pool}/v1/responses"), post(responses))
                .route(&format!("{pool}/v1/messages"), post(messages))
                .route(&format!("{pool}/v1/messages/count_tokens"), post(count_tokens))
                .route(&format!("{pool}/v1/embeddings"), post(embeddings))
                .route(&format!("{pool}/v1/models"), get(list_models))
                .route(&format!("{pool}/v1/models/{{*model}}"), get(list_models).post(gemini))
                .route(&format!("{pool}/v1beta/models"), get(list_gemini))
                .route(&format!("{pool}/v1beta/models/{{*model}}"), get(list_gemini).post(gemini))
        })
        .route("/forward/{pool}", any(forward))
        .route("/forward/{pool}/{*path}", any(forward))
}

type Answered = Result<Response, Failure>;

async fn chat(State(app): State<Arc<App>>, named: Named, request: Request) -> Answered {
    serve(&app, named, Protocol::OpenAi, Wish::Generate(None), request).await
}

async fn responses(State(app): State<Arc<App>>, named: Named, request: Request) -> Answered {
    serve(&app, named, Protocol::Responses, Wish::Generate(None), request).await
}

async fn messages(State(app): State<Arc<App>>, named: Named, request: Request) -> Answered {
    serve(&app, named, Protocol::Anthropic, Wish::Generate(None), request).await
}

async fn count_tokens(State(app): State<Arc<App>>, named: Named, request: Request) -> Answered {
    serve(&app, named, Protocol::Anthropic, Wish::CountTokens(None), request).await
}

async fn embeddings(State(app): State<Arc<App>>, named: Named, request: Request) -> Answered {
    serve(&app, named, Protocol::OpenAi, Wish::Embed(None), request).await
}

async fn gemini(State(app): State<Arc<App>>, named: Named, request: Request) -> Answered {
    let wish = gemini_wish(named.model.as_deref().unwrap_or_default()).ok_or_else(no_such_call)?;
    serve(&app, named, Protocol::Gemini, wish, request).await
}

async fn forward(State(app): State<Arc<App>>, mut named: Named, request: Request) -> Answered {
    let path = named.rest.take().unwrap_or_default();
    // A path that climbs would reach beside the base of the upstream.
    if path.split('/').any(|part| matches!(&*percent_decode_str(part).decode_utf8_lossy(), "." | "..")) {
        return Err(Failure(Error::invalid("path: it must not climb")));
    }
    let wish = Wish::Forward { method: request.method().clone(), path };
    serve(&app, named, Protocol::OpenAi, wish, request).await
}

/// The models, in the shape of Anthropic for whoever names a version of its interface.
async fn list_models(State(app): State<Arc<App>>, named: Named, request: Request) -> Answered {
    let anthropic = request.headers().contains_key("anthropic-version");
    let client = if anthropic { Protocol::Anthropic } else { Protocol::OpenAi };
    list(&app, named, client, request).await
}

async fn list_gemini(State(app): State<Arc<App>>, named: Named, request: Request) -> Answered {
    list(&app, named, Protocol::Gemini, request).await
}

async fn list(app: &Arc<App>, named: Named, client: Protocol, request: Request) -> Answered {
    let permit = app.admission.brief()?;
    let (parts, _) = request.into_parts();
    let entrance = Entrance::of(app, &parts).await?;
    let gateway = gateway_of(app)?;
    let list = ListModels { client, who: entrance.who.clone(), pool: named.pool, model: named.model };
    let answer = gateway.models(list).await;
    drop(permit);
    Ok(respond(entrance.told(app, answer).await, None))
}

async fn serve(app: &Arc<App>, named: Named, client: Protocol, wish: Wish, request: Request) -> Answered {
    // Kept for as long as the answer lasts.
    let permit = app.admission.live()?;
    let (parts, body) = request.into_parts();
    let entrance = Entrance::of(app, &parts).await?;
    let body = whole(app, body).await?;
    let Parts { headers, uri, .. } = parts;
    let (who, pool, query) = (entrance.who.clone(), named.pool, query_without_key(&uri));
    let answer = gateway_of(app)?.serve(Asked { client, wish, who, pool, query, headers, body }).await;
    Ok(respond(entrance.told(app, answer).await, Some(permit)))
}

/// The gateway, where these routes are served.
fn gateway_of(app: &App) -> Result<&Gateway, Failure> {
    app.services.gateway.as_deref().ok_or_else(|| Failure(Error::bug("a route of the gateway without one")))
}

/// The query as it was written, but for the credential in it.
fn query_without_key(uri: &Uri) -> Option<String> {
    let kept: Vec<&str> = uri.query()?.split('&').filter(|pair| !pair.starts_with("key=")).collect();
    Some(kept.join("&")).filter(|query| !query.is_empty())
}

/// What stands behind the last colon is what Gemini is to do.
fn gemini_wish(address: &str) -> Option<Wish> {
    let (model, verb) = address.rsplit_once(':')?;
    let addressed = |stream| Some(Addressed { model: model.to_owned(), stream });
    Some(match verb {
        "generateContent" => Wish::Generate(addressed(false)),
        "streamGenerateContent" => Wish::Generate(addressed(true)),
        "countTokens" => Wish::CountTokens(addressed(false)),
        "embedContent" => Wish::Embed(addressed(false)),
        "batchEmbedContents" => Wish::Embed(addressed(true)),
        _ => return None,
    })
}

fn no_such_call() -> Failure {
    Failure(Error::new(
        Code::NoSuchRoute,
        "a model can be asked to generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents",
        "Look at the guide of the gateway.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_colon_parts_a_model_from_what_it_is_to_do() {
        let wish = gemini_wish("tuned:a:streamGenerateContent").unwrap();
        assert_eq!(wish, Wish::Generate(Some(Addressed { model: "tuned:a".into(), stream: true })));
        assert_eq!(gemini_wish("a:deleteEverything"), None);
        assert_eq!(gemini_wish("a"), None);
    }

    #[test]
    fn a_credential_in_the_query_goes_no_further() {
        let query = |uri: &str| query_without_key(&uri.parse().unwrap());
        assert_eq!(query("/a?alt=sse&key=secret&b=%20").as_deref(), Some("alt=sse&b=%20"));
        assert_eq!(query("/a?key=secret"), None);
        assert_eq!(query("/a"), None);
    }
}
