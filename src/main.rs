//! Reads the settings, starts the log, and runs the app until it is told to stop.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use convoke::app::App;
use convoke::cli::{self, Cli, Verb};
use convoke::config::{LogFormat, LogSettings, Settings};
use convoke::domain::errors::with_causes;
use convoke::domain::time::SystemClock;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

type Fault = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _ = writeln!(io::stderr(), "convoke: {}", with_causes(fault.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), Fault> {
    let settings = Settings::load()?;
    start_log(&settings.log)?;
    for name in Settings::misspelt() {
        warn!(
            name,
            "no setting has this name; config/default.toml lists all"
        );
    }
    match cli.verb {
        Verb::Serve => serve(&settings).await,
        verb => cli::run(verb, &settings).await,
    }
}

async fn serve(settings: &Settings) -> Result<(), Fault> {
    // From here on signals are heard, also while the start is under way.
    let (stopped, ended) = (told(1)?, told(2)?);
    let app = App::start(settings, Arc::new(SystemClock)).await?;
    greet(&app, settings)?;
    let was_told = tokio::select! {
        was_told = app.run_until(stopped) => was_told,
        () = ended => return Err("told to stop a second time, ended at once".into()),
    };
    info!("stopped");
    if was_told {
        Ok(())
    } else {
        Err("the embedded database is gone".into())
    }
}

/// Waits until the process was told to stop so many times.
fn told(times: usize) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for _ in 0..times {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    })
}

/// Tells the person at the terminal what to do next. A new auth token is shown here and never again.
fn greet(app: &App, settings: &Settings) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (scheme, address, sid) = (app.scheme, app.address, app.account.sid);
    writeln!(out, "Convoke listens on {scheme}://{address}")?;
    writeln!(out, "  account SID  {sid}")?;
    match &app.account.new_auth_token {
        Some(token) => writeln!(out, "  auth token   {token}   (shown only this once)")?,
        None if settings.auth_token.is_some() => {
            writeln!(out, "  auth token   as in the settings (auth_token)")?;
        }
        None => writeln!(
            out,
            "  auth token   was shown at the first start; lost? {} key create --main",
            own_name()
        )?,
    }
    let token = app.account.new_auth_token.as_deref();
    let token = token.unwrap_or("$AUTH_TOKEN");
    let base = match &settings.public_url {
        Some(url) => url.as_str().to_owned(),
        None => format!("{scheme}://{address}"),
    };
    writeln!(out, "Try it:")?;
    writeln!(
        out,
        "  curl -u {sid}:{token} {base}/v1/Conversations -d FriendlyName=Hello"
    )?;
    out.flush()
}

/// How this program was called, which is how it can be called again.
fn own_name() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| "convoke".to_owned())
}

fn start_log(settings: &LogSettings) -> Result<(), Fault> {
    let filter = EnvFilter::builder()
        .parse(&settings.level)
        .map_err(|error| format!("log.level: {error}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    let json = match settings.format {
        LogFormat::Auto => !io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    if json {
        log.json().flatten_event(true).init()
    } else {
        log.with_ansi(io::stderr().is_terminal()).init()
    }
    std::panic::set_hook(Box::new(|panic| {
        error!(
            panic.location = panic.location().map(tracing::field::display),
            panic.message = panic.payload_as_str().unwrap_or("(no message)"),
            "a task panicked; what it did for its caller is refused, everything else goes on"
        );
    }));
    Ok(())
}
